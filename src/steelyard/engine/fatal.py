"""Giving a job up when its first replies show that asking on is hopeless.

Hopeless is: nothing can be reached, or the service refuses every request for the same reason, or
every answer lacks the same thing. The rule is off for good once a reply succeeds or fails in
another way.
"""

from steelyard.core import Failure, RunStopped

_ADVICE = {
    401: "Check the key: --api-key-env names the environment variable that holds it.",
    403: "Check the key: --api-key-env names the environment variable that holds it.",
    404: "Check --base-url and --model.",
    400: "Check --model and the generation options.",
    422: "Check --model and the generation options.",
}
_UNREACHABLE = "Check --base-url, and that the service is running."
_STRANGE = "Check that the service speaks the backend's protocol, and --base-url."
_REFUSALS_OF_CONTENT = (400, 422)


class FirstReplies:
    """Watches the first ``after`` replies of a job."""

    def __init__(self, after: int) -> None:
        self._after = after
        self._seen = 0
        self._first: Failure | None = None
        self.hopeful = after <= 0
        """A reply succeeded, or not all failed alike: the rule is off."""

    def note(self, failure: Failure | None) -> None:
        """Take the next finished reply; raises ``RunStopped`` when it is one too many."""
        if self.hopeful:
            return
        first = self._first = self._first or failure
        if failure is None or first is None or not _alike(first, failure):
            self.hopeful = True
            return
        self._seen += 1
        if self._seen == self._after:
            raise self._stopped(first)

    def end(self) -> None:
        """All replies are in; raises ``RunStopped`` when there were few and none had a chance.

        Refused contents (400, 422) and strange answers do not count here: a few rows may just be
        bad ones.
        """
        first = self._first
        if self.hopeful or first is None or first.kind == "protocol":
            return
        if first.status not in _REFUSALS_OF_CONTENT:
            raise self._stopped(first)

    def _stopped(self, failure: Failure) -> RunStopped:
        count = f"the first {self._seen} requests all" if self._seen > 1 else "the only request"
        advice = _STRANGE if failure.kind == "protocol" else _UNREACHABLE
        advice = _ADVICE.get(failure.status or 0, advice)
        return RunStopped(f"{count} failed in the same way: {failure.detail.rstrip('.')}. {advice}")


def _alike(first: Failure, failure: Failure) -> bool:
    """Whether both failures are the same hopeless one."""
    if failure.kind in ("refused", "connect"):
        return first.kind == failure.kind
    if failure.kind == "protocol":
        return first.kind == failure.kind and first.detail == failure.detail
    if failure.kind != "status" or failure.status not in _ADVICE or failure.status != first.status:
        return False
    # Bad rows are refused with differing words, such as their lengths; a bad option is not.
    return failure.status not in _REFUSALS_OF_CONTENT or failure.detail == first.detail
