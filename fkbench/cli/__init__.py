"""The command line: one module per command, none of which imports torch, cv2 or pandas before it runs."""
