"""An ablation: planned before the first step, run, compared."""
