"""From a problem and its gradients to one NumPy function with readable source."""
