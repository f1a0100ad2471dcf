"""The parts of `make_drive.py`: composite faces, the driver, the car, the film, its check."""
