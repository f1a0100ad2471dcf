"""How the driver steers: buttons, remotes and the control socket."""
