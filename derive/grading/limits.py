"""The bounds that the comparison with kept numbers shares with the ladder."""

CLEARLY, NEGLIGIBLE = 1e-6, 1e-9
FEW = 4
FEWEST_DEFINED = 3
OWN_SAMPLES, OWN_POINTS = 3, 12
