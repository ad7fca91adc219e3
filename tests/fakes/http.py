"""The endpoints of webhooks."""

import threading

from perkwire.model.sending import NoResponse, Request, Response


class FakeSender:
    """For HttpSender: sending.Sender. Answers 200 at once unless told otherwise for a URL."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self._answers: dict[str, list[Response | NoResponse]] = {}
        self._lock = threading.Lock()

    def answer(self, url: str, *answers: Response | NoResponse) -> None:
        """Answer requests to the URL one after the other so; the last one goes on for ever."""
        self._answers[url] = [*answers]

    def send(self, request: Request) -> Response | NoResponse:
        with self._lock:
            self.requests.append(request)
            answers = self._answers.get(request.url, [Response(200, "", 1)])
            return answers.pop(0) if len(answers) > 1 else answers[0]
