package io.callbridge;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Each package knows only those that the sentence names: what is further to the right stands on what is further to the left. */
class PackagesTest {

    private static final JavaClasses ALL = new ClassFileImporter().withImportOption(new ImportOption.DoNotIncludeTests()).importPackages("io.callbridge");

    @ParameterizedTest
    @CsvSource({
        "domain   knows",
        "platform knows domain",
        "store    knows domain platform",
        "ingest   knows domain platform store",
        "deliver  knows domain platform store",
        "asterisk knows domain platform store ingest",
        "process  knows domain platform store ingest deliver",
        "admin    knows domain platform store ingest deliver asterisk process",
        "start    knows domain platform store ingest deliver asterisk process admin",
        "demo     knows platform start"})
    void aPackageKnowsOnly(String sentence) {
        String[] words = sentence.split(" +");
        String[] known = Arrays.stream(words).filter(word -> !word.equals("knows")).map(name -> "io.callbridge." + name + "..").toArray(String[]::new);
        noClasses().that().resideInAPackage(known[0]).should().dependOnClassesThat(resideInAPackage("io.callbridge..")
                .and(not(resideInAnyPackage(known)))).check(ALL);
    }

    @Test
    void theDomainKnowsJavaOnly() {
        classes().that().resideInAPackage("io.callbridge.domain..").should().onlyDependOnClassesThat()
                .resideInAnyPackage("java..", "io.callbridge.domain..").check(ALL);
    }

    @Test
    void noPackageKnowsOneThatKnowsIt() {
        slices().matching("io.callbridge.(*)..").should().beFreeOfCycles().check(ALL);
    }
}
