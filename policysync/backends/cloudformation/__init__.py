"""CloudFormation: stacks from what a kind says under `x-api.stack`."""
