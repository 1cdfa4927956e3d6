"""Language codes that MP4 wants: ISO 639-2/T, three letters, no script and no region; and what a file's codes mean."""

from babel import Locale, UnknownLocaleError
from django.utils.translation import get_language

_PAIRS = """
aa-aar ab-abk af-afr ak-aka am-amh an-arg ar-ara as-asm av-ava ay-aym az-aze ba-bak be-bel bg-bul bi-bis
bm-bam bn-ben bo-bod br-bre bs-bos ca-cat ce-che ch-cha co-cos cs-ces cv-chv cy-cym da-dan de-deu dv-div
dz-dzo ee-ewe el-ell en-eng eo-epo es-spa et-est eu-eus fa-fas ff-ful fi-fin fj-fij fo-fao fr-fra fy-fry
ga-gle gd-gla gl-glg gn-grn gu-guj gv-glv ha-hau he-heb hi-hin hr-hrv ht-hat hu-hun hy-hye ia-ina id-ind
ig-ibo ik-ipk io-ido is-isl it-ita iu-iku ja-jpn jv-jav ka-kat kg-kon ki-kik kk-kaz kl-kal km-khm kn-kan
ko-kor ks-kas ku-kur kv-kom kw-cor ky-kir la-lat lb-ltz lg-lug li-lim ln-lin lo-lao lt-lit lu-lub lv-lav
mg-mlg mi-mri mk-mkd ml-mal mn-mon mr-mar ms-msa mt-mlt my-mya nb-nob nd-nde ne-nep nl-nld nn-nno no-nor
nr-nbl nv-nav ny-nya oc-oci om-orm or-ori os-oss pa-pan pl-pol ps-pus pt-por qu-que rm-roh rn-run ro-ron
ru-rus rw-kin sa-san sc-srd sd-snd se-sme sg-sag si-sin sk-slk sl-slv sm-smo sn-sna so-som sq-sqi sr-srp
ss-ssw st-sot su-sun sv-swe sw-swa ta-tam te-tel tg-tgk th-tha ti-tir tk-tuk tl-tgl tn-tsn to-ton tr-tur
ts-tso tt-tat tw-twi ty-tah ug-uig uk-ukr ur-urd uz-uzb ve-ven vi-vie wa-wln wo-wol xh-xho yi-yid yo-yor
za-zha zh-zho zu-zul
"""
_THREE_LETTERS = {pair[:2]: pair[3:] for pair in _PAIRS.split()}
# ISO 639-2/B: the older codes of twenty languages, which Matroska prescribes and many tools write.
_OLDER_PAIRS = """
alb-sqi arm-hye baq-eus bur-mya chi-zho cze-ces dut-nld fre-fra geo-kat ger-deu gre-ell ice-isl mac-mkd mao-mri may-msa
per-fas rum-ron slo-slk tib-bod wel-cym
"""
_OLDER = {pair[:3]: pair[4:] for pair in _OLDER_PAIRS.split()}
_TWO_LETTERS = {three: two for two, three in _THREE_LETTERS.items()}


def iso639_2(tag: str) -> str:
    """Return the three-letter code of a BCP 47 tag; "und" for what has none.

    >>> iso639_2("pt-BR"), iso639_2("bm"), iso639_2("fuf"), iso639_2("x-private")
    ('por', 'bam', 'fuf', 'und')
    """
    primary = tag.split("-")[0].lower()
    if len(primary) == 3 and primary.isascii() and primary.isalpha():
        return primary
    return _THREE_LETTERS.get(primary, "und")


def from_file(code: str) -> str:
    """Return the primary BCP 47 subtag of a language as a file names it; nothing for none.

    >>> from_file("fre"), from_file("eng"), from_file("pt-BR"), from_file("fuf"), from_file("und"), from_file("<b>")
    ('fr', 'en', 'pt', 'fuf', '', '')
    """
    primary = code.split("-")[0].lower()
    primary = _OLDER.get(primary, primary)
    primary = _TWO_LETTERS.get(primary, primary)
    is_code = len(primary) in (2, 3) and primary.isascii() and primary.isalpha()
    return primary if is_code and primary not in ("und", "mul", "mis", "zxx") else ""


def name_in_reader_language(tag: str) -> str:
    """Return a language's name as the reader of the current page calls it; the tag itself if nobody knows."""
    try:
        names = Locale.parse(get_language() or "en", sep="-").languages
    except (UnknownLocaleError, ValueError):
        names = Locale("en").languages
    return str(names.get(tag.split("-")[0], tag))
