# A copy of a join, 1.86 s late, of a run that d0 forgot when d3 was not configured for a while: it is
# taken for a restart, and the ring forms anew. Calm (L2) is demanded once the last copy is here.
plan everything
seed 1602945598
clients 4
faults overflow skew slow_client cut_frame hostile
duration 2683443652ns
schedule
at 0.000000ms link *->* duplicate 0.023444399277496974
at 0.000000ms link *->* duplicate_delay_max 1857836429ns
at 170.369893ms configure d2 d0 d2 d3
at 426.382352ms crash d2
at 517.539779ms configure d2 d0 d1 d2 d3
at 632.837468ms start d2 lost
at 633.426027ms link d2->* lose_commits 1
at 753.893803ms block d0->d2
at 1347.952763ms configure d0 d0 d1 d2
at 1936.444957ms clock d3 jump 1819650175ns
at 1969.132067ms crash d3
