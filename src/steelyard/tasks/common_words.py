"""Two hundred and fifty-six common English words, for texts that need no tokenizer.

Nouns of everyday use, most of which are one token each in most vocabularies.
"""

_TEXT = """
    time year people way day man thing woman life child world school state family student group
    country problem hand part place case week company system program question work government
    number night point home water room mother area money story fact month lot right study book eye
    job word business issue side kind head house service friend father power hour game line end
    member law car city community name president team minute idea kid body information back parent
    face level office door health person art war history party result change morning reason
    research girl guy moment air teacher force education foot boy age policy process music market
    sense nation plan college interest death experience effect use class control care field
    development role effort rate heart drug show leader light voice wife whole police mind price
    report decision son view relationship town road arm difference value building action season
    society tax director position player record paper space ground form event official matter
    center couple site project activity star table need court oil situation cost industry figure
    street image phone data picture practice piece land product doctor wall patient worker news
    test movie north love support step type attention film organization baby movement page risk
    garden river bridge window summer winter paint metal glass stone cloud storm island forest
    valley engine wheel train ship coffee bread sugar salt fruit apple orange horse bird fish
    cattle farm spring autumn color green blue black white yellow circle square triangle corner
    middle bottom surface king queen castle village hotel kitchen chair letter
"""

COMMON_WORDS = tuple(_TEXT.split())
