"""A real API server with etcd and the controllers, where `make kubernetes` built them."""
