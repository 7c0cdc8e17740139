"""The only place that knows other programs and native parsers; it knows no rule and no plan."""
