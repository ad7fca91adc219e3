"""The one way in which patches reach into the emulator's modules."""

from importlib.metadata import version
from types import ModuleType
from typing import Any, cast

PINNED_VERSION = "1.5.33"


class UpstreamChangedError(RuntimeError):
    """The installed emulator is not the one that the patches were written for."""


def check_version() -> None:
    """Raise unless the installed emulator is the pinned one."""
    installed = version("ministack")
    if installed != PINNED_VERSION:
        raise UpstreamChangedError(
            f"ministack {installed} is installed, the local stack is tested with {PINNED_VERSION}: "
            "run `make setup`"
        )


def lookup(module: ModuleType, name: str) -> Any:  # noqa: ANN401 - upstream publishes no types
    """Return what the emulator's module calls `name`; raise when it no longer has it."""
    try:
        return getattr(module, name)
    except AttributeError:
        raise UpstreamChangedError(f"{module.__name__} has no {name} to patch") from None


def replace(module: ModuleType, name: str, value: object) -> None:
    """Put `value` where the emulator looks `name` up; raise when it no longer has it."""
    lookup(module, name)
    setattr(module, name, value)


def queue_actions() -> dict[str, Any]:
    """Return the emulator's SQS actions by name; changing the mapping changes the service."""
    from ministack.services import sqs

    return cast(dict[str, Any], lookup(sqs, "_HANDLERS"))


def resource_provisioner(resource_type: str) -> dict[str, Any]:
    """Return how CloudFormation creates and updates a type; changing the mapping changes it."""
    from ministack.services.cloudformation import provisioners

    provisioner = lookup(provisioners, "_RESOURCE_HANDLERS").get(resource_type)
    if not provisioner or not {"create", "update"} <= provisioner.keys():
        raise UpstreamChangedError(f"{provisioners.__name__} cannot provision {resource_type}")
    return cast(dict[str, Any], provisioner)
