"""One module for each package that we are measured against: it is imported only where that package is installed."""
