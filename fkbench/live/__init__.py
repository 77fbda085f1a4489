"""The live demo: pictures from a camera, a video or a folder, faces found and followed, keypoints drawn and shown."""
