"""The Python interface: problems, derivatives as values, grading."""

from derive.api.formula import Formula
from derive.api.functions import grade, gradient, hessian, jacobian
from derive.api.problem import Problem
from derive.grading.verdict import Verdict

__all__ = ["Formula", "Problem", "Verdict", "grade", "gradient", "hessian", "jacobian"]
