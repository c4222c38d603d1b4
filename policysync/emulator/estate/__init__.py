"""What a console has found out by itself: images and their findings, and what runs. Read, hardly ever written."""
