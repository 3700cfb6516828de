# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab's IIS: real HTTP and HTTPS listeners of one node, as its applicationHost.config describes them.

One program per node: ``python -m holdfast_lab.iis --node DIR [--ready-fd N]``. It reads the configuration at its start
and again when the file changed before a request on its control socket (``DIR/standin/iis.sock``, see ``control``).
Which sites run is not in the configuration: at the start those with serverAutoStart="true" do, later what was asked.

Rules it shares with IIS and HTTP.sys: a stopped site has no listener; a binding's address need not be on the node;
sites share one IP and port by host name; an endpoint that is taken makes the start fail with 0x80070020.
"""
