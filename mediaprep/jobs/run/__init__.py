"""Running a batch: the driver, publishing outputs, quarantine, events."""
