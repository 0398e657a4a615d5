"""Where Docker's containers find a service of this machine, so that SAM's functions reach AWS."""

import socket
import struct
import sys

_BRIDGE = b"docker0"
_GET_ADDRESS = 0x8915  # SIOCGIFADDR of Linux's <linux/sockios.h>


def bridge_address() -> str | None:
    """This machine's address on the network of Docker's containers.

    None where there is no such network: Docker Desktop's containers live in a virtual machine and
    reach 127.0.0.1 under the name host.docker.internal.
    """
    if sys.platform != "linux":
        return None
    import fcntl  # noqa: PLC0415 - Windows has none

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            answer = fcntl.ioctl(probe, _GET_ADDRESS, struct.pack("256s", _BRIDGE))
        except OSError:  # no such interface
            return None
    return socket.inet_ntoa(answer[20:24])
