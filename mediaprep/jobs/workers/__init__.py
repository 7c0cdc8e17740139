"""Where jobs run: threads of this machine, or the workers of a Dask cluster."""
