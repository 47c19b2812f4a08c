"""Pictures that were made elsewhere, in a folder or named by a file: ``--set pictures=...``."""

from steelyard.core import Load, ModelSpec

models = [
    ModelSpec(
        abbr="picture-folder",
        backend="picture_folder",
        options={"pictures": ""},
        load=Load(concurrency=1, senders=1),
    )
]
