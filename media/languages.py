"""Language codes that MP4 wants: ISO 639-2/T, three letters, no script and no region."""

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


def iso639_2(tag: str) -> str:
    """Return the three-letter code of a BCP 47 tag; "und" for what has none.

    >>> iso639_2("pt-BR"), iso639_2("bm"), iso639_2("fuf"), iso639_2("x-private")
    ('por', 'bam', 'fuf', 'und')
    """
    primary = tag.split("-")[0].lower()
    if len(primary) == 3 and primary.isascii() and primary.isalpha():
        return primary
    return _THREE_LETTERS.get(primary, "und")
