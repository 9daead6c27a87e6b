"""`nst`, or `python -m studio`: the command, and Ctrl-C before it is loaded and after it has ended."""

import os
import signal
import sys

EXIT_CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}


def main():
    """Run the command line of this process, and return its exit code."""
    _handle(_end_at_once)
    from studio import command

    code = command.main()
    _handle(signal.SIG_IGN)  # all is done, and libraries are being closed
    return code


def _handle(handler):
    for number in EXIT_CODES:
        if signal.getsignal(number) is not signal.SIG_IGN:  # which `nohup` and `&` ask for
            signal.signal(number, handler)


def _end_at_once(number, _):
    os.write(2, b"\nStopped before there was a picture.\n")
    os._exit(EXIT_CODES[number])


if __name__ == "__main__":
    sys.exit(main())
