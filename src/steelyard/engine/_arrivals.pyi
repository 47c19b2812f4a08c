from steelyard.engine.receiver import Inlet

def look(
    epoll: int, inlets: dict[int, Inlet], nothing_before_ns: int
) -> tuple[int, int, bool, list[tuple[int, int]]]:
    """Read every socket of ``epoll`` that has something into its inlet; does not wait.

    Returns when it looked (monotonic ns), the number of reads, whether that was all there is, and
    what is to be told of which descriptors: -1, a read that may complete something; 0, the peer
    closed; above, an ``errno``. ``OSError`` when ``epoll`` itself cannot be read.
    """
