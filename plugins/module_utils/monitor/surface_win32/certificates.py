# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Certificates: those of the machine's store, and which one HTTP.sys has for a binding."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

from ..errors import NotThereError, SurfaceError
from ..surface import Certificate
from . import der, iis_com

_KEY_PROVIDER = 2
"""CERT_KEY_PROV_INFO_PROP_ID of wincrypt.h: the certificate knows the container of its private key."""


class Certificates:
    """Primitives of certificates."""

    def certificates(self, *, store: str) -> Sequence[Certificate]:
        """Those of the machine's system store.

        Source: CertOpenStore, learn.microsoft.com/en-us/windows/win32/api/wincrypt/nf-wincrypt-certopenstore
        (CERT_STORE_PROV_SYSTEM, CERT_SYSTEM_STORE_LOCAL_MACHINE); call form of github.com/mhammond/pywin32
        win32/test/test_win32crypt.py. Unconfirmed: keys of a hardware module without provider info.
        """
        import pywintypes
        import win32crypt
        import win32cryptcon

        provider, place = win32cryptcon.CERT_STORE_PROV_SYSTEM, win32cryptcon.CERT_SYSTEM_STORE_LOCAL_MACHINE
        try:
            handle = win32crypt.CertOpenStore(provider, 0, None, place, store)
            if handle is None:
                raise NotThereError("certificates", f"the machine has no store {store!r}")
            try:
                return [_certificate(context) for context in handle.CertEnumCertificatesInStore()]
            finally:
                # Says "still in use" while a traceback holds a certificate; the handle then closes with that.
                with contextlib.suppress(pywintypes.error):
                    handle.CertCloseStore()
        except pywintypes.error as error:
            message = f"store {store!r} of the machine cannot be read: {error.strerror}"
            raise SurfaceError("certificates", message, error.winerror) from error

    def bound_certificate(self, *, site: str, information: str) -> str | None:
        """Run-time attribute certificateHash of the binding, served from HTTP.sys.

        Source: rscaext.xml of Windows (copy in github.com/jexuswebserver/JexusManager Tests/schema). Unconfirmed:
        that it is served for a site that is stopped.
        """
        with iis_com.session("bound_certificate") as manager:
            binding = _https_binding("bound_certificate", manager, site, information)
            text = str(iis_com.read(binding, "certificateHash") or "")
        return text.upper() or None

    def bind_certificate(self, *, site: str, information: str, thumbprint: str, store: str) -> None:
        """Whatever was bound there is taken away first, then this one is bound.

        Source: methods RemoveSslCertificate and AddSslCertificate of a binding, rscaext.xml; used after the commit
        by github.com/ansible-collections/microsoft.iis plugins/modules/website.ps1. Not part of the file.
        """
        primitive = "bind_certificate"
        with iis_com.LOCK, iis_com.session(primitive) as manager:
            binding = _https_binding(primitive, manager, site, information)
            # Fails when none is bound; which code that gives is unconfirmed.
            with contextlib.suppress(SurfaceError), iis_com.translated(primitive):
                iis_com.call(binding, "RemoveSslCertificate")
            inputs = {"certificateHash": thumbprint, "certificateStoreName": store}
            try:
                with iis_com.translated(primitive):
                    iis_com.call(binding, "AddSslCertificate", inputs)
            except SurfaceError as error:
                message = f"certificate {thumbprint} of store {store} cannot be bound to {information}: {error}"
                raise SurfaceError(primitive, message, error.code) from error


def _certificate(context: Any) -> Certificate:
    raw = bytes(context.CertEncoded)
    subject, end = der.subject_and_end(raw)
    return Certificate(
        thumbprint=der.thumbprint_of(raw),
        subject=subject,
        not_after=end,
        has_private_key=_KEY_PROVIDER in context.CertEnumCertificateContextProperties(),
    )


def _https_binding(primitive: str, manager: Any, site: str, information: str) -> Any:
    element = iis_com.site_of(primitive, manager, site)
    keys = {"protocol": "https", "bindingInformation": information}
    found = iis_com.find(iis_com.part(element, "bindings"), "binding", keys)
    if found is None:
        raise NotThereError(primitive, f"site {site!r} has no https binding {information}")
    return found[1]
