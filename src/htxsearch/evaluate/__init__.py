"""How good and how fast: measures on judged sets, and benchmarks."""
