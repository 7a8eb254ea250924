# The last token before the faults end is lost, and its loss is seen long after: no change without a cause.
plan everything
seed 910507518
duration 2725358473ns
schedule
at 0.000000ms link *->* delay_min 500us
at 0.000000ms link *->* delay_max 3251248ns
at 0.000000ms link *->* tail 0.004658508009051789
at 0.000000ms link *->* loss 0.06424629464279726
at 20.313149ms split d1 | | d0 d2
at 418.290835ms split d0 d1 d2 | |
at 663.330632ms block d1->d2
at 663.330632ms block d2->d1
at 990.142363ms open d1->d2
at 990.142363ms open d2->d1
at 1140.993425ms block d1->d0
at 1161.865738ms split d0 d2 | d1 |
at 1238.236070ms split d1 d2 | d0 |
at 1778.978015ms open *->*
at 1952.771017ms block d0->d2
at 2141.088780ms block d1->d0
at 2233.965861ms block d1->d0
at 2243.319588ms stranger d0 malformed 823624343
at 2246.296368ms open d0->d2
at 2246.296368ms open d2->d0
at 2278.986731ms open d1->d0
