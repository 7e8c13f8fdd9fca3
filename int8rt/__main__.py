"""`python -m int8rt` is the command `int8rt`."""

from int8rt.cli.app import main

main()
