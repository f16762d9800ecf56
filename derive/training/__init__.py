"""Training by stochastic gradient descent on lowered functions."""
