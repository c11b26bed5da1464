"""All that is written to and read from the folder of a run or an ablation."""
