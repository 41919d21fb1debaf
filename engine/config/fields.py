"""What every part of the configuration is built from."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.config import JsonDict


class Model(BaseModel):
    """Frozen, and strict about keys: an unknown one is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def parameter(
    default: Any, *, title: str, help: str, symbol: str = "", unit: str = "", live: bool = False, **bounds: Any
) -> Any:
    """A field with what a person needs to set it: its title, symbol, unit, help and bounds.

    ``live`` marks what may change while a run trains; the change takes effect at the next iteration.
    """
    extra: JsonDict = {"symbol": symbol, "unit": unit, "live": live}
    return Field(default, title=title, description=help, json_schema_extra=extra, **bounds)


def _kind_shorthand(value: Any) -> Any:
    return {"kind": value} if isinstance(value, str) else value


def _id_shorthand(value: Any) -> Any:
    return {"id": value} if isinstance(value, str) else value


Kind = BeforeValidator(_kind_shorthand)
Id = BeforeValidator(_id_shorthand)
LayerSizes = Annotated[tuple[Annotated[int, Field(ge=1, le=4096)], ...], Field(max_length=8)]
