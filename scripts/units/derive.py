#!/usr/bin/env python3
"""Derives fixtures/units/units.csv and fixtures/units/legacy_units.csv.

A maintainer's tool: building and testing hoibao never needs Python. Only the standard library is used.

In:   the PyPI package `vietnamadminunits` 1.0.4 (MIT), fetched with pip into a temporary folder or given with
      --wheel; beside this file `changes_since.csv` (what became law, or was corrected, since that package) and
      `rejected_pairs.csv` (pairs of that package known to be wrong).
Out:  two CSV files in the layout that fixtures/units/PROVENANCE.md describes.
Also: --compare DIR prints every row that differs from units.csv and legacy_units.csv in DIR, and exits 1 when
      a column other than `evidence` differs.

Deliberately not here: anything that guesses. A correction that does not find exactly the text it expects stops
the run, so that a newer package cannot be patched with old corrections in silence.
"""

import argparse
import csv
import hashlib
import io
import json
import pathlib
import re
import sqlite3
import subprocess
import sys
import tempfile
import unicodedata
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
PACKAGE, VERSION = "vietnamadminunits", "1.0.4"
WHEEL_SHA256 = "737ee3662e877290386c1c45ed4d71f2e5fae34ab6fb9c64bfb4cb74b216ea35"

UNITS_COLUMNS = ["province_code", "province_name", "commune_code", "commune_name", "type"]
LEGACY_COLUMNS = [
    "old_province_code", "old_province_name", "old_district_code", "old_district_name",
    "old_commune_code", "old_commune_name", "new_commune_code", "new_commune_name",
    "new_province_code", "new_province_name", "split_count", "is_default", "evidence",
]
# The type follows from the name: the package's own type column contradicts the name in four rows.
TYPES = {"Xã": "xa", "Phường": "phuong", "Đặc khu": "dac_khu"}

# The General Statistics Office puts the tone on the last vowel of an open oa, oe, uy ("Hoà"); the package's
# present-day names put it on the first ("Hòa"). After q, u belongs to the consonant ("Quý") and nothing moves.
TONES = dict(zip(
    "òa óa ỏa õa ọa òe óe ỏe õe ọe ùy úy ủy ũy ụy".split(),
    "oà oá oả oã oạ oè oé oẻ oẽ oẹ uỳ uý uỷ uỹ uỵ".split(),
))
TONES.update({k.capitalize(): v.capitalize() for k, v in list(TONES.items())})
TONE = re.compile("(?<![qQ])(" + "|".join(TONES) + r")(?!\w)")


def official_tone(name):
    """The name with tone marks where the General Statistics Office puts them."""
    return TONE.sub(lambda found: TONES[found[1]], name)


def unit_type(name):
    """`xa`, `phuong` or `dac_khu`, read from the first word or two of the name."""
    for prefix, kind in TYPES.items():
        if name.startswith(prefix + " "):
            return kind
    raise SystemExit(f"unknown kind of unit: {name}")


def read_csv(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def fetch_wheel(folder):
    """Downloads the package, without running anything of it."""
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:",
         "--dest", folder, f"{PACKAGE}=={VERSION}"],
        check=True,
    )
    return next(pathlib.Path(folder).glob("*.whl"))


def open_package(wheel, folder):
    """The package's database and its table of 2025, after the digest of the wheel has been checked."""
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    if digest != WHEEL_SHA256:
        raise SystemExit(f"{wheel.name} has SHA-256 {digest}, expected {WHEEL_SHA256}")
    with zipfile.ZipFile(wheel) as archive:
        database = archive.extract(f"{PACKAGE}/data/dataset.db", folder)
        converter = json.loads(archive.read(f"{PACKAGE}/data/converter_2025.json"))
    return sqlite3.connect(database), converter


class Units:
    """Today's units by code, and the package's own keys that lead to a code."""

    def __init__(self, database):
        self.rows, self.keys = {}, {}
        query = "SELECT provinceCode, province, wardCode, ward, provinceKey, wardKey FROM admin_units"
        for province_code, province, code, name, province_key, key in database.execute(query):
            province, name = official_tone(province), official_tone(name)
            self.rows[code] = [province_code, province, code, name]
            # Two names that differ in their accents only are told apart by an accented key.
            for each in {key, official_key(name), plain_accent_key(name)}:
                self.keys.setdefault((province_key, each), set()).add(code)

    def code(self, province_key, key):
        codes = self.keys.get((province_key, key), set())
        if len(codes) != 1:
            codes = self.keys.get((province_key, key.lower()), set())
        if len(codes) != 1:
            raise SystemExit(f"key {province_key}/{key} leads to {sorted(codes)}")
        return next(iter(codes))

    def apply(self, changes):
        """Applies changes_since.csv, each of which must find what it replaces."""
        renumbered = {}
        for change in changes:
            kind, before, after = change["change"], change["from"], change["to"]
            if kind == "province_name":
                rows = [row for row in self.rows.values() if row[0] == change["code"]]
                column = 1
            elif kind == "commune_name":
                rows = [row for row in self.rows.values() if row[2] == change["code"]]
                column = 3
            elif kind == "commune_code":
                rows = [row for row in self.rows.values() if row[2] == change["code"]]
                column = 2
                renumbered[before] = after
            else:
                raise SystemExit(f"unknown kind of change: {kind}")
            if not rows or any(row[column] != before for row in rows):
                raise SystemExit(f"change does not fit the package: {change}")
            for row in rows:
                row[column] = after
        self.rows = {row[2]: row for row in self.rows.values()}
        return renumbered

    def table(self):
        rows = [row + [unit_type(row[3])] for row in self.rows.values()]
        return sorted(rows, key=lambda row: (row[0], row[2]))


def official_key(name):
    return name.lower().replace(" ", "")


def plain_accent_key(name):
    """The same with the tone on the first vowel, as the package writes its accented keys."""
    back = {new: old for old, new in TONES.items()}
    pattern = re.compile("(?<![qQ])(" + "|".join(back) + r")(?!\w)")
    return pattern.sub(lambda found: back[found[1]], name).lower().replace(" ", "")


def legacy_rows(database):
    """The units of 30 June 2025 by the package's key; five island districts have no commune."""
    rows = {}
    query = ("SELECT provinceKey, districtKey, wardKey, provinceCode, province, districtCode, district, "
             "wardCode, ward FROM admin_units_legacy")
    for province_key, district_key, key, *row in database.execute(query):
        row = [value or "" for value in row]
        for each in {key or "", row[5].lower().replace(" ", "")}:
            rows.setdefault(f"{province_key}_{district_key}_{each}", []).append(row)
    return rows


def pairs_of(converter, units, old):
    """(old row, new code, is default) for each pair the package knows."""
    def one(key):
        rows = old.get(key, [])
        if len(rows) != 1:
            raise SystemExit(f"old key {key} leads to {len(rows)} units")
        return rows[0]

    for province_key, communes in converter["DICT_PROVINCE_WARD_NO_DIVIDED"].items():
        for key, old_keys in communes.items():
            for old_key in old_keys:
                yield one(old_key), units.code(province_key, key), 1
    for province_key, communes in converter["DICT_PROVINCE_WARD_DIVIDED"].items():
        for old_key, parts in communes.items():
            for part in parts:
                yield one(old_key), units.code(province_key, part["newWardKey"]), int(part["isDefaultNewWard"])


def legacy_table(pairs, units, renumbered, rejected):
    """The legacy table, without the rejected pairs; each of those must have been there."""
    rejected = {(row["old_commune_code"], row["new_commune_code"]) for row in rejected}
    kept, unused = {}, set(rejected)
    for row, code, default in pairs:
        code = renumbered.get(code, code)
        pair = (row[4], code)
        if pair in rejected:
            unused.discard(pair)
            if default:
                raise SystemExit(f"a default pair may not be rejected: {pair}")
            continue
        kept.setdefault((row[2], row[4]), {})[code] = (row, default)
    if unused:
        raise SystemExit(f"rejected pairs that the package does not have: {sorted(unused)}")
    table = []
    for parts in kept.values():
        if sum(default for _, default in parts.values()) != 1:
            raise SystemExit(f"not exactly one default: {parts}")
        for code, (row, default) in parts.items():
            province_code, province, _, name = units.rows[code]
            table.append(row + [code, name, province_code, province, str(len(parts)), str(default), "vau"])
    return sorted(table, key=lambda row: (row[0], row[2], row[4], -int(row[11]), row[6]))


def as_text(columns, rows):
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    text = out.getvalue()
    if not unicodedata.is_normalized("NFC", text):
        raise SystemExit("a name is not in NFC")
    return text


def compare(name, columns, rows, path, identity):
    """Prints each difference from another derivation; returns how many columns beside `evidence` differ."""
    others = {tuple(row[column] for column in identity): row for row in read_csv(path)}
    ours = {tuple(row[columns.index(column)] for column in identity): row for row in rows}
    serious, evidence = 0, 0
    for key in sorted(set(ours) | set(others)):
        if key not in others or key not in ours:
            serious += 1
            print(f"{name} {key}: only in {'the other' if key in others else 'this'} derivation")
            continue
        for column, mine in zip(columns, ours[key]):
            if mine == others[key][column]:
                continue
            if column == "evidence":
                evidence += 1
            else:
                serious += 1
                print(f"{name} {key} {column}: here {mine!r}, there {others[key][column]!r}")
    print(f"{name}: {len(ours)} rows here, {len(others)} there, {serious} differences, "
          f"{evidence} rows that differ in `evidence` only")
    return serious


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--wheel", type=pathlib.Path, help="the downloaded wheel; fetched with pip otherwise")
    parser.add_argument("--out", type=pathlib.Path, default=HERE.parents[1] / "fixtures" / "units")
    parser.add_argument("--compare", type=pathlib.Path, help="folder with another derivation to compare with")
    arguments = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        wheel = arguments.wheel or fetch_wheel(folder)
        database, converter = open_package(wheel, folder)
        units = Units(database)
        pairs = list(pairs_of(converter, units, legacy_rows(database)))
        database.close()
    renumbered = units.apply(read_csv(HERE / "changes_since.csv"))
    units_table = units.table()
    legacy = legacy_table(pairs, units, renumbered, read_csv(HERE / "rejected_pairs.csv"))

    arguments.out.mkdir(parents=True, exist_ok=True)
    for name, columns, rows in [("units.csv", UNITS_COLUMNS, units_table),
                                ("legacy_units.csv", LEGACY_COLUMNS, legacy)]:
        (arguments.out / name).write_text(as_text(columns, rows), encoding="utf-8", newline="\n")
        print(f"{name}: {len(rows)} rows")

    if arguments.compare:
        serious = compare("units.csv", UNITS_COLUMNS, units_table, arguments.compare / "units.csv",
                          ["commune_code"])
        serious += compare("legacy_units.csv", LEGACY_COLUMNS, legacy, arguments.compare / "legacy_units.csv",
                           ["old_district_code", "old_commune_code", "new_commune_code"])
        sys.exit(1 if serious else 0)


if __name__ == "__main__":
    main()
