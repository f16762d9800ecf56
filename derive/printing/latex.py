def latex(node):
    return str(node)[:80]
