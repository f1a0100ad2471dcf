"""Languages as tags name them: ISO 639-2 codes (both kinds), ISO 639-1, English names. Pure.

The codes are those of ISO 639-2's registration authority, the Library of Congress
(https://www.loc.gov/standards/iso639-2/).
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["language_code"]

_CODES: Final = """
aar=aa abk=ab afr=af aka=ak amh=am ara=ar arg=an asm=as ava=av ave=ae aym=ay aze=az bak=ba bam=bm
bel=be ben=bn bis=bi bod=bo bos=bs bre=br bul=bg cat=ca ces=cs cha=ch che=ce chu=cu chv=cv cor=kw
cos=co cre=cr cym=cy dan=da deu=de div=dv dzo=dz ell=el eng=en epo=eo est=et eus=eu ewe=ee fao=fo
fas=fa fij=fj fin=fi fra=fr fry=fy ful=ff gla=gd gle=ga glg=gl glv=gv grn=gn guj=gu hat=ht hau=ha
heb=he her=hz hin=hi hmo=ho hrv=hr hun=hu hye=hy ibo=ig ido=io iii=ii iku=iu ile=ie ina=ia ind=id
ipk=ik isl=is ita=it jav=jv jpn=ja kal=kl kan=kn kas=ks kat=ka kau=kr kaz=kk khm=km kik=ki kin=rw
kir=ky kom=kv kon=kg kor=ko kua=kj kur=ku lao=lo lat=la lav=lv lim=li lin=ln lit=lt ltz=lb lub=lu
lug=lg mah=mh mal=ml mar=mr mkd=mk mlg=mg mlt=mt mon=mn mri=mi msa=ms mya=my nau=na nav=nv nbl=nr
nde=nd ndo=ng nep=ne nld=nl nno=nn nob=nb nor=no nya=ny oci=oc oji=oj ori=or orm=om oss=os pan=pa
pli=pi pol=pl por=pt pus=ps que=qu roh=rm ron=ro run=rn rus=ru sag=sg san=sa sin=si slk=sk slv=sl
sme=se smo=sm sna=sn snd=sd som=so sot=st spa=es sqi=sq srd=sc srp=sr ssw=ss sun=su swa=sw swe=sv
tah=ty tam=ta tat=tt tel=te tgk=tg tgl=tl tha=th tir=ti ton=to tsn=tn tso=ts tuk=tk tur=tr twi=tw
uig=ug ukr=uk urd=ur uzb=uz ven=ve vie=vi vol=vo wln=wa wol=wo xho=xh yid=yi yor=yo zha=za zho=zh
zul=zu
alb=sq arm=hy baq=eu bur=my chi=zh cze=cs dut=nl fre=fr geo=ka ger=de gre=el ice=is mac=mk mao=mi
may=ms per=fa rum=ro slo=sk tib=bo wel=cy
"""
"""ISO 639-2/T, then the twenty codes of 639-2/B that differ; each with its ISO 639-1 code."""

_NAMES: Final = """
english=en german=de deutsch=de french=fr francais=fr français=fr spanish=es espanol=es español=es
italian=it italiano=it portuguese=pt portugues=pt português=pt dutch=nl nederlands=nl danish=da
dansk=da swedish=sv svenska=sv norwegian=no norsk=no finnish=fi suomi=fi icelandic=is polish=pl
polski=pl czech=cs slovak=sk hungarian=hu magyar=hu romanian=ro bulgarian=bg greek=el turkish=tr
russian=ru ukrainian=uk croatian=hr serbian=sr slovenian=sl arabic=ar hebrew=he persian=fa hindi=hi
japanese=ja korean=ko chinese=zh mandarin=zh cantonese=zh vietnamese=vi thai=th indonesian=id
irish=ga welsh=cy catalan=ca basque=eu latin=la
"""
"""Names that people write in tags instead; ours."""

_BY_WORD: Final = dict(pair.split("=") for pair in (_CODES + _NAMES).split())
_SHORT: Final = frozenset(_BY_WORD.values())
_CODE_LENGTH: Final = 3


def language_code(text: str) -> str:
    """Return the ISO 639-1 code of the first language that a tag names, or "".

    ``"eng"``, ``"deu/eng"``, ``"engdeu"`` (ID3 joins codes), ``"en-GB"`` and ``"English"`` are
    known; ``zxx`` (nothing is sung), ``und`` and whatever has no two-letter code are "".
    """
    word = next(iter(re.findall(r"[^\W\d_]+", text.casefold())), "")
    if word in _SHORT:
        return word
    if word in _BY_WORD:
        return _BY_WORD[word]
    codes = [word[at : at + _CODE_LENGTH] for at in range(0, len(word), _CODE_LENGTH)]
    joined = bool(codes) and all(code in _BY_WORD for code in codes)
    return _BY_WORD[codes[0]] if joined else ""
