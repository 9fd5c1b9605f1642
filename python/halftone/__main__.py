"""The program `halftone` of the build that the package uses: `python -m halftone COMMAND ...`, or `halftone` where a wheel carries it."""
import os
import sys

from ._error import Error
from ._locate import DRIVER, find


def main() -> None:
    try:
        program = str(find(DRIVER))
    except Error as error:
        sys.exit(f"halftone: error: {error}")
    os.execv(program, [program, *sys.argv[1:]])


if __name__ == "__main__":
    main()
