"""The vision process: camera, faces, driver, emotions. It never imports the music side."""
