"""Croissant metadata (MLCommons, version 1.0): the tables in JSON-LD, for programs that load data sets."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from storage.bundle.archive import WrittenFile
from storage.bundle.cells import Column, Kind
from storage.bundle.table import Table

CONTEXT: Mapping[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
"""The context that Croissant 1.0 prescribes."""

_TYPES: Mapping[Kind, str] = {
    Kind.INTEGER: "sc:Integer",
    Kind.REAL: "sc:Float",
    Kind.LOSS: "sc:Float",
    Kind.DAY: "sc:Date",
}
"""Of the kinds that are not read as texts."""

_FORMATS: Mapping[str, str] = {
    "csv": "text/csv",
    "json": "application/json",
    "md": "text/markdown",
    "toml": "application/toml",
    "txt": "text/plain",
}

_DESCRIPTION = (
    "People of different experience tune the hyperparameters of the same network by hand, for a limited time: every "
    "setting they tried and why, its validation accuracy, and the test accuracies of their final choices. They "
    "are known by codes; times are counted from the start of each one's session. codebook.csv tells of each column."
)

_CITE = (
    "@misc{anand2020black, title={Black Magic in Deep Learning: How Human Skill Impacts Network Training}, "
    "author={Kanav Anand and Ziqi Wang and Marco Loog and Jan van Gemert}, year={2020}, eprint={2008.05981}, "
    "archivePrefix={arXiv}}"
)


def croissant(study: str, tables: Sequence[Table], files: Sequence[WrittenFile], *, published: datetime | None) -> str:
    """The metadata of a bundle whose other files are these; paths are relative to where it is unpacked.

    Args:
        published: When the study was closed; its day is given as the data's.
    """
    written = {each.name: each for each in files}
    metadata: dict[str, Any] = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": study,
        "description": _DESCRIPTION,
        "citeAs": _CITE,
        "url": "https://arxiv.org/abs/2008.05981",
        "keywords": ["hyperparameter tuning", "human skill", "user study", "deep learning"],
        "inLanguage": "en",
        "version": "1.0.0",
    }
    if published is not None:
        metadata["datePublished"] = published.date().isoformat()
    metadata["distribution"] = [_file(each) for each in files]
    metadata["recordSet"] = [_records(each) for each in tables if written[each.file].rows]
    return json.dumps(metadata, indent=1, ensure_ascii=False) + "\n"


def _file(file: WrittenFile) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": file.name,
        "name": file.name,
        "contentUrl": file.name,
        "contentSize": f"{file.size} B",
        "encodingFormat": _FORMATS[file.name.rpartition(".")[2]],
        "sha256": file.sha256,
    }


def _records(table: Table) -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": table.name,
        "name": table.name,
        "description": table.meaning,
        "key": [{"@id": f"{table.name}/{name}"} for name in table.key],
        "field": [_field(table, each) for each in table.columns],
    }


def _field(table: Table, column: Column) -> dict[str, Any]:
    described = [column.meaning]
    if column.unit:
        described.append(f"Unit: {column.unit}.")
    if column.range:
        described.append(f"Values: {column.range}.")
    if column.empty:
        described.append(f"Empty: {column.empty}")
    field: dict[str, Any] = {
        "@type": "cr:Field",
        "@id": f"{table.name}/{column.name}",
        "name": column.name,
        "description": " ".join(described),
        "dataType": _TYPES.get(column.kind, "sc:Text"),
        "source": {"fileObject": {"@id": table.file}, "extract": {"column": column.name}},
    }
    if column.refers is not None:
        # Of the file, not of its record set: mlcroissant's own loader can read only such ones.
        other, key = column.refers
        field["references"] = {"fileObject": {"@id": f"{other}.csv"}, "extract": {"column": key}}
    return field
