"""/console/static: the files that browsers may keep for good, as their names hold their hashes."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from console.http.assets import Assets

_FOR_GOOD = "public, max-age=31536000, immutable"


def add(resolver: APIGatewayHttpResolver, assets: Assets) -> None:
    """Add the route to the resolver."""

    # Pages are not compressed: they hold what must not be guessed from a length.
    @resolver.get("/console/static/<name>", compress=True)
    def get(name: str) -> Response[str]:
        asset = assets.find(name)
        if asset is None:
            return Response(
                status_code=404, content_type="text/plain", body="There is no such file."
            )
        return Response(
            status_code=200,
            content_type=asset.content_type,
            body=asset.text,
            headers={"cache-control": _FOR_GOOD},
        )
