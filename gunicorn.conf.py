"""How gunicorn runs the application; it reads this file by itself. Options on the command line win."""

worker_class = "gthread"
workers = 2
threads = 8
keepalive = 15
graceful_timeout = 10
loglevel = "warning"
# Loaded once, before the fork: a wrong setting ends the start with its one line instead of being tried for ever.
preload_app = True
# Nobody needs to steer it while it runs.
control_socket_disable = True
