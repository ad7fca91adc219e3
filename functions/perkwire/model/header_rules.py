"""Which names a custom header may not have, by rule: each has its reason.

Names are compared folded: without case, and with `_` as `-`, since servers that hand headers on as
variables (CGI, WSGI) cannot tell them apart. A `*` at an end of a pattern stands for any characters
there, none too.
"""

from perkwire.primitives.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class HeaderRule:
    """Names that are refused; `detail` is the rest of a sentence that begins with the name."""

    detail: str
    patterns: tuple[str, ...]

    def covers(self, name: str) -> bool:
        """Whether it is about this name."""
        key = folded(name)
        return key not in OWNERS_NAMES and any(_fits(one, key) for one in self.patterns)


CONNECTION = HeaderRule(
    "is set by Perkwire or by the connection",
    (
        "accept-encoding",  # the answer's snippet is read without decoding
        "connection",
        "content-*",
        "early-data",
        "expect",
        "host",
        "http2-settings",
        "keep-alive",
        "max-forwards",
        "proxy",  # CGI makes it HTTP_PROXY, by which programs choose their own proxy
        "proxy-*",
        "sec-*",
        "svix-*",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
        "webhook-*",
    ),
)
FORWARDING = HeaderRule(
    "says what a proxy has seen of a request: where it came from, or what it asked for",
    (
        "*client-ip*",
        "*clientip*",
        "*cluster-ip*",
        "*connecting-ip*",
        "*external-address*",
        "*forwarded*",
        "*origin-ip*",
        "*originating-ip*",
        "*peer-ip*",
        "*real-ip*",
        "*remote-addr*",
        "*remote-ip*",
        "*socket-ip*",
        "*socketip*",
        "*source-ip*",
        "*src-ip*",
        "*user-ip*",
        "akamai-*",
        "cdn-loop",
        "cf-*",
        "cloudfront-*",
        "fastly-*",
        "fly-*",
        "front-end-https",
        "path-info",
        "request-uri",
        "script-name",
        "via",
        "x-accel-*",
        "x-akamai-*",
        "x-amz*",
        "x-appengine-*",
        "x-arr-*",
        "x-azure-*",
        "x-client-host",
        "x-client-port",
        "x-envoy-*",
        "x-forward*",
        "x-host",
        "x-http-host*",
        "x-http-method*",
        "x-https",
        "x-istio-*",
        "x-method-override",
        "x-middleware-*",
        "x-nf-*",
        "x-original-*",
        "x-path-info",
        "x-proto",
        "x-protocol",
        "x-proxy-host",
        "x-proxy-url",
        "x-real-*",
        "x-request-scheme",
        "x-request-uri",
        "x-rewrite-*",
        "x-scheme",
        "x-script-name",
        "x-sendfile-*",
        "x-server-name",
        "x-server-port",
        "x-url-scheme",
        "x-vercel-*",
    ),
)
IDENTITY = HeaderRule(
    "says who is asking, as a proxy does that signs people in or checks certificates",
    (
        "*-userinfo",
        "*client-cert*",
        "*client-dn*",
        "*client-fingerprint*",
        "*client-i-dn*",
        "*client-s-dn*",
        "*client-serial*",
        "*client-subject*",
        "*client-verif*",
        "*clientcert*",
        "auth-user*",
        "gap-auth",
        "impersonate-*",
        "iv-*",
        "l5d-*",
        "oidc-*",
        "okta-*",
        "remote-*",
        "saml-*",
        "shib-*",
        "sm-*",
        "ssl-*",
        "tailscale-*",
        "teleport-*",
        "tls-*",
        "wl-proxy-*",
        "x-anonymous-consumer",
        "x-auth-email",
        "x-auth-group*",
        "x-auth-name",
        "x-auth-principal*",
        "x-auth-request-*",
        "x-auth-role*",
        "x-auth-subject",
        "x-auth-user*",
        "x-authelia-*",
        "x-authenticated*",
        "x-authentik-*",
        "x-cas-user*",
        "x-consumer-*",
        "x-credential-*",
        "x-email",
        "x-goog-authenticated-*",
        "x-goog-iap-*",
        "x-groups",
        "x-impersonate-*",
        "x-jwt-*",
        "x-kerberos-*",
        "x-ldap-*",
        "x-logged-in-user",
        "x-ms-client-principal*",
        "x-ms-token-*",
        "x-mtls*",
        "x-oauth-user*",
        "x-oidc-*",
        "x-okta-*",
        "x-peer-cert*",
        "x-pomerium-*",
        "x-principal*",
        "x-proxy-user*",
        "x-remote-*",
        "x-rh-identity",
        "x-role",
        "x-roles",
        "x-saml-*",
        "x-spiffe-*",
        "x-ssl*",
        "x-sso-*",
        "x-subject-dn",
        "x-tls*",
        "x-token-subject",
        "x-user",
        "x-userinfo",
        "x-username",
        "x-vouch-*",
        "x-webauth-*",
    ),
)
SIGNATURE = HeaderRule(
    "is where a receiver looks for a signature",
    (
        "*-sig",
        "*digest",
        "*hmac*",
        "*nonce",
        "*signature*",
        "sig",
        "sign",
        "verif-hash",
        "x-sig",
        "x-sign",
        "x-webhook-timestamp",  # open-loyalty signs it, and receivers tell by it what is stale
    ),
)
RULES = (CONNECTION, FORWARDING, IDENTITY, SIGNATURE)

# With these an owner signs in at Cloudflare Access.
OWNERS_NAMES = frozenset({"cf-access-client-id", "cf-access-client-secret"})


def folded(name: str) -> str:
    """A header's name as receivers compare it: without case, and `_` as `-`, as CGI and WSGI do."""
    return name.lower().replace("_", "-")


def broken_rule(name: str) -> HeaderRule | None:
    """The first rule by which no custom header may have this name; None if it may."""
    return next((rule for rule in RULES if rule.covers(name)), None)


def _fits(pattern: str, key: str) -> bool:
    letters = pattern.strip("*")
    if pattern.startswith("*"):
        return letters in key if pattern.endswith("*") else key.endswith(letters)
    return key.startswith(letters) if pattern.endswith("*") else key == letters
