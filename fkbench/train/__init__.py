"""The training engine: every net trained by the same loop, from views that live on the device."""
