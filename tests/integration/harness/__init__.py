"""What the tests of the real binary share. They use it as its users do: the command line and the API, nothing else."""
