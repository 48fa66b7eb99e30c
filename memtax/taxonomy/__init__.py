"""Does splitting memorization into categories explain it better? Fits and evaluates what answers it."""
