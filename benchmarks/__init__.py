"""What this machine can do: `make bench` measures it against the limits of the same machine, in the same run."""
