# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""The witness: a third voter on a machine that serves nothing. It needs Python and a disk, on Windows or Linux."""

from __future__ import annotations
