"""Finding out which model a service serves, when nobody named it."""

import msgspec

from steelyard import backends
from steelyard.core import ModelLister, ModelSpec, ServiceError


async def named(model: ModelSpec) -> ModelSpec:
    """``model`` with the served name filled in; unchanged when it has one or needs none.

    Asks the service once (``GET /v1/models``); raises ``ServiceError`` when it cannot say.
    """
    if model.options.get("model") or "model" not in backends.backend_options(model.backend):
        return model
    backend = backends.open_backend(model)
    try:
        if not isinstance(backend, ModelLister):
            return model
        served = await backend.models()
    finally:
        await backend.close()
    if not served:
        raise ServiceError(f"{model.abbr}: the service lists no model; name it with --model.")
    return msgspec.structs.replace(model, options={**model.options, "model": served[0]})
