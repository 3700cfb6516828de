# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A stand-in for a Windows Server on Linux, which ansible-core drives for real over WinRM, PSRP and SSH.

One process per node. It serves WinRM (HTTPS; NTLM and Negotiate with channel binding, Basic) and optionally SSH,
keeps the node's services running as a service control manager does, and re-implements in Python the few upstream
modules that our roles use. It is strict: a script, module, option, path or feature it does not know fails with a
text that says so. Nothing is accepted in silence.

Start: ``python -m holdfast_lab.standin CONFIG.json``, or without a file, by the conventions of a node's folder:
``python -m holdfast_lab.standin --node DIR --winrm-fd N [--ssh-fd N] [--ready-fd N]``. Working directory and
environment do not matter; programs on the node get the environment named below and nothing else.

Configuration (JSON object; unknown keys are refused; DIR is the node's folder, holding ``C``, ``X``, ...)::

    {
      "node": "/abs/.lab/nodes/n1",          required
      "name": "n1",                          default: the folder's name; the Windows computer name
      "winrm_fd": 3,                         required: bound, listening TCP socket of WinRM over HTTPS (psrp too)
      "certificate": "DIR/standin/winrm.crt",  PEM, as are all the files here
      "key": "DIR/standin/winrm.key",
      "users_file": "DIR/standin/users.json",  {"Administrator": "password"}; never in arguments or environment
      "ssh_fd": null,                        bound, listening TCP socket of SSH; password or key logon
      "ssh_host_key": "DIR/standin/ssh_host_key",  made when missing
      "ssh_authorized_keys": "DIR/standin/authorized_keys",  public keys that may log on; the file may be missing
      "ready_fd": null,                      gets "ready\n" once WinRM accepts and the automatic services run
      "features": ["Web-Server", ...],       installed when the node starts for the first time
      "service_programs": {"W3SVC": ["/abs/python", "-m", "holdfast_lab.iis", "--ready-fd", "{ready_fd}"]},
                                             commands of the host behind built-in services; the service runs once
                                             "ready\\n" comes on that descriptor, when the command asks for one; a
                                             built-in service without a command has no process
      "environment": {"PATH": "...", ...},   of every program on the node; HOLDFAST_LAB_NODE and
                                             HOLDFAST_STANDIN_SERVICE (for a service's process) are added
      "shell_idle_s": 2.0,                   a shell whose client has vanished ends after this; its programs too
      "service_settle_s": 1.0,               a starting service that does not report is running after this
      "service_stop_s": 10.0                 SIGTERM to SIGKILL
    }

From Python: ``standin.server.serve(standin.config.parse({...}))``. Importing this package imports nothing else, so that
programs on the node can use ``standin.paths`` alone.

Private state is in DIR/standin: services.json, features.json, access.json, firewall.json, scm.sock (see
``scm.socket``).
SIGTERM shuts the node down in order and exits with 0.
"""

from __future__ import annotations
