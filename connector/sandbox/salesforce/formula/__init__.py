"""Salesforce's formula language: what formula fields, default values and validation rules are written in.

`compile_formula` reads a text and holds it against the fields it may name; the `Formula` it gives back is
evaluated against one record after another. Pure: fields and the time are asked of a `Reader`.
Source: Salesforce Help, "Formula Operators and Functions".
"""

from connector.sandbox.salesforce.formula.compiled import Formula, Reader, compile_formula
from connector.sandbox.salesforce.formula.functions import Kind
from connector.sandbox.salesforce.formula.syntax import FormulaError, Path, Value

__all__ = ["Formula", "FormulaError", "Kind", "Path", "Reader", "Value", "compile_formula"]
