"""Pictures: grids of faces with their keypoints, curves, landmark schemes. Heavy; commands import it when called."""
