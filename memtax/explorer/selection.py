"""Which rows a page is about. All of it is in the address, so that it can be shared, kept, and gone back to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from memtax.errors import SelectionError
from memtax.explorer import statements
from memtax.explorer.catalogue import UNKNOWN, Catalogue
from memtax.explorer.filters import WITHOUT_VALUE, Filter, condition, require_column
from memtax.explorer.paging import Order
from memtax.explorer.sql import Sql, Value, sql

if TYPE_CHECKING:
    from starlette.datastructures import QueryParams

TEXT_COLUMNS = {"text": "text", "prompt_text": "prompt", "continuation_text": "continuation"}
MEMORIZED = {"yes": "memorized", "no": "not memorized", UNKNOWN: "not known"}
PAGE_SIZES = (25, 50, 100, 200)
DEFAULT_SIZE = 50
# Shown of every row, beside its text.
BASE_COLUMNS = ("category", "memorized", "greedy_match_length", "sequence_duplicates", "generation_perplexity")


@dataclass(frozen=True)
class Selection:
    """Rows of `features`, an order, and a place in it; None or empty where nothing was asked for.

    Attributes:
        dataset, category: these alone.
        model: NAME@REVISION.
        memorized: one of MEMORIZED.
        text: what the text contains; `within` one of TEXT_COLUMNS.
        filters: further conditions, all of which hold.
        sort: the column; `descending` or not.
        show: columns to show beside the usual ones.
        size: rows to a page.
        after, before: the place where the page begins, or that it ends at.
    """

    dataset: str | None = None
    model: str | None = None
    category: str | None = None
    memorized: str | None = None
    text: str = ""
    within: str = "text"
    match_case: bool = False
    filters: tuple[Filter, ...] = ()
    sort: str | None = None
    descending: bool = False
    show: tuple[str, ...] = ()
    size: int = DEFAULT_SIZE
    after: str | None = None
    before: str | None = None

    @property
    def order(self) -> Order:
        """The order in which its rows are read."""
        return Order(self.sort, self.descending, backwards=self.before is not None)

    @property
    def only_facets(self) -> bool:
        """Whether the catalogue's counts tell how many rows there are."""
        return not self.text and not self.filters

    def query(self, **changes: Any) -> str:
        """Its address, with some of it changed; a change goes to the first page unless it names a place itself."""
        changed = replace(self, **({"after": None, "before": None} | changes))
        pairs: list[tuple[str, str]] = []
        for name in ("dataset", "model", "category", "memorized"):
            pairs += [(name, value) for value in (getattr(changed, name),) if value is not None]
        if changed.text:
            pairs.append(("q", changed.text))
            pairs += [("within", changed.within)] if changed.within != "text" else []
            pairs += [("case", "1")] if changed.match_case else []
        for one in changed.filters:
            pairs += [("column", one.column), ("op", one.operator), ("value", one.value)]
        if changed.sort is not None:
            pairs.append(("sort", changed.sort))
            pairs += [("desc", "1")] if changed.descending else []
        pairs += [("show", column) for column in changed.show]
        pairs += [("size", str(changed.size))] if changed.size != DEFAULT_SIZE else []
        pairs += [(name, value) for name in ("after", "before") if (value := getattr(changed, name)) is not None]
        return "?" + urlencode(pairs) if pairs else "?"

    def without(self, index: int) -> str:
        """Its address with one filter less."""
        return self.query(filters=self.filters[:index] + self.filters[index + 1 :])

    def columns(self, catalogue: Catalogue) -> list[str]:
        """What is shown of each row, those that it is about included."""
        asked = [*(one.column for one in self.filters), *([self.sort] if self.sort else []), *self.show]
        wanted = dict.fromkeys([*BASE_COLUMNS, *asked])
        return [name for name in wanted if name in catalogue.columns and name not in statements.KEYS]


def parse(parameters: QueryParams) -> Selection:
    """The selection of an address; what fits no table is found out by `check`.

    Raises:
        SelectionError: filters are not whole, or a number is none.
    """
    columns, operators, values = (parameters.getlist(name) for name in ("column", "op", "value"))
    if not len(columns) == len(operators) == len(values):
        raise SelectionError(
            f"the address has {len(columns)} times column, {len(operators)} times op and {len(values)} times value; "
            "every filter has one of each, in this order"
        )
    filters = tuple(
        Filter(column, operator, "" if operator in WITHOUT_VALUE else value)
        for column, operator, value in zip(columns, operators, values, strict=True)
        if column
    )
    sort = parameters.get("sort") or None
    size = parameters.get("size") or str(DEFAULT_SIZE)
    if size not in map(str, PAGE_SIZES):
        raise SelectionError(f"size={size}: a page has {', '.join(map(str, PAGE_SIZES))} rows")
    return Selection(
        dataset=parameters.get("dataset") or None,
        model=parameters.get("model") or None,
        category=parameters.get("category") or None,
        memorized=parameters.get("memorized") or None,
        text=parameters.get("q") or "",
        within=parameters.get("within") or "text",
        match_case=bool(parameters.get("case")),
        filters=filters,
        sort=sort,
        descending=bool(sort and parameters.get("desc")),
        show=tuple(dict.fromkeys(filter(None, parameters.getlist("show")))),
        size=int(size),
        after=parameters.get("after") or None,
        before=None if parameters.get("after") else parameters.get("before") or None,
    )


def row_conditions(selection: Selection, catalogue: Catalogue) -> list[Sql]:
    """Its conditions on `features`, but for what the text contains.

    Raises:
        SelectionError: something that it names is not there, or does not fit.
    """
    for name in (selection.sort, *selection.show):
        if name is not None:
            require_column(name, catalogue.columns)
    conditions = []
    if _one_of("dataset", selection.dataset, catalogue.datasets) is not None:
        conditions.append(sql("dataset = ", Value(selection.dataset)))
    if selection.model is not None:
        model = catalogue.model_labelled(selection.model)
        if model is None:
            known = ", ".join(f"{name}@{revision}" for name, revision in catalogue.models) or "none"
            raise SelectionError(f"features has no model {selection.model!r}; it has {known}")
        conditions += [sql("model = ", Value(model[0])), sql("revision = ", Value(model[1]))]
    if _one_of("category", selection.category, catalogue.categories) is not None:
        known_category = sql("category = ", Value(selection.category))
        conditions.append(sql("category is null") if selection.category == UNKNOWN else known_category)
    if _one_of("memorized", selection.memorized, tuple(MEMORIZED)) is not None:
        flags = {"yes": "memorized", "no": "not memorized", UNKNOWN: "memorized is null"}
        conditions.append(sql(flags[selection.memorized or UNKNOWN]))
    return conditions + [condition(one, catalogue.columns) for one in selection.filters]


def text_condition(selection: Selection, catalogue: Catalogue) -> Sql | None:
    """What it wants the text to contain, as a condition on `feat_sequence__text`; None if nothing.

    Raises:
        SelectionError: there is no such text.
    """
    if not selection.text:
        return None
    if not catalogue.has_text:
        raise SelectionError("the store has no table feat_sequence__text to search in; run dbt run first")
    _one_of("within", selection.within, tuple(TEXT_COLUMNS))
    return statements.text_condition(selection.text, selection.within, match_case=selection.match_case)


def statement(
    selection: Selection, catalogue: Catalogue, limit: int | None, columns: Sequence[str] | None = None
) -> Sql:
    """The selection from its first row on as one statement, which gives what its pages give.

    Args:
        selection: the selection; its place counts for nothing.
        catalogue: what the store has.
        limit: rows at most.
        columns: of `features`; by default what a page shows.

    Raises:
        SelectionError: see `row_conditions`.
    """
    conditions = row_conditions(selection, catalogue)
    matches = text_condition(selection, catalogue)
    if matches is not None:
        conditions.append(statements.in_matches(matches))
    if columns is None:
        columns = [*statements.KEYS, *selection.columns(catalogue)]
    order = Order(selection.sort, selection.descending).sql
    return statements.selection(columns, conditions, order, limit, has_text=catalogue.has_text)


def _one_of(what: str, value: str | None, known: Sequence[str]) -> str | None:
    if value is not None and value not in known:
        raise SelectionError(f"there is no {what} {value!r}; there is {', '.join(known) or 'none'}")
    return value
