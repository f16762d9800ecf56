def closed_form(problem,node,target,layout): return None
from derive.errors import AuthorError
def derivative_value(problem,of,wrt):
    raise AuthorError("unexpanded")
